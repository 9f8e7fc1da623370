"""Language models behind one seam: requests in batches, answers by futures."""
