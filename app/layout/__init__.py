"""Layout of the pages: controls, panels, and what opens at the side."""
