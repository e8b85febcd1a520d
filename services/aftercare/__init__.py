"""Follow-ups, outreach, check-ins and community links after a discharge."""
