"""The report as one HTML file in Spanish: charts as inline SVG, tables, method and limits; nothing is loaded."""
