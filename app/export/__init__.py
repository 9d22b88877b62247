"""Files of a view that leave the page: pictures for print and one HTML page."""
