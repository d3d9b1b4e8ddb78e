"""Which tokens stopped being valid before their end, and how every service hears of it."""
