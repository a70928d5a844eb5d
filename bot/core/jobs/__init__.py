"""One picture from the wish to the bill: intake, queue, attempts, settlement, recovery; batches of them."""
