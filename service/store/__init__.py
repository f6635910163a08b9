"""All SQL: rows in, values out. One file per noun; flows alone open write transactions."""
