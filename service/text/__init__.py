"""One meaning of "the same word": folding, tokens, readable Unicode, plain text. Pure."""
