"""Episode and level of care, plan and goals, sessions, step-down."""
