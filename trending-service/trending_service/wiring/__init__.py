"""Creates and connects everything that the routes and the background work use."""
