"""What senders are owed, taken to them: RRI^I12 over MLLP, FHIR Task by rest-hook.

One deliverer a channel, a channel being one way to one sender. Each reads OUTBOUND from its own place, kept
in the bucket DELIVERY together with who leads the channel, what waits to be tried again and what is not
recorded yet (docs/adr/0008-delivery.md).

- In order: one message at a time, the next when the one before is settled. Where nobody answers, or answers
  what would be the same for any message (a timeout, HTTP 5xx, 404, a redirect), the whole channel waits and
  tries again. Where the receiver refuses one message (AE, AR, HTTP 422), that message and every later one of
  the same referral wait, and others go on.
- At least once: a crash between the receiver's answer and our note of it delivers again, with the same
  control id.
- For ever: pauses grow up to a limit of hours, and nothing is given up while OUTBOUND keeps it (90 days).
- One at a time: a gateway leads a channel while its note in DELIVERY is fresh; each write says what it
  replaces.
"""
