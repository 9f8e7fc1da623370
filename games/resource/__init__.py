"""Games in which a whole plan is bought from a purse and two plans meet: what all of them share."""
