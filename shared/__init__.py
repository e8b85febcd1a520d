"""What every service of Throughcare stands on: the contract, the log, the projections."""
