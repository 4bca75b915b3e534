"""What two servers are asked alike, a module for each service: see test_against_moto.py."""
