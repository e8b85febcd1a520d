"""A connection tried out: what a made-up hospital sends, what is answered, and what is then to be seen."""
