"""Game engines and solvers behind one seam."""
