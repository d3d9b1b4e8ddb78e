"""Reading tweets back: lists and exports."""
