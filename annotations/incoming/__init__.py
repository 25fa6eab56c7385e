"""Files on their way in other than by the plain form: in parts, by address, or typed into a box."""
