"""Which profiles want a paper, and why; which stored papers a query finds. Pure: no IO at all."""
