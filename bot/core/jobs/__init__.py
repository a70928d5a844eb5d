"""One picture from the wish to the bill: intake, queue, the run itself, settlement, recovery; batches of them."""
