"""Networks and recipes, trained over seeds and measured side by side."""
