"""Official clients and a server under test, behind one small interface."""
