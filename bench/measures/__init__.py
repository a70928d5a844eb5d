"""How each row of the table is measured: a file for what is set up together."""
