"""Usage, counted once per message, and monthly invoices."""
