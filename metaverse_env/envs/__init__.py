"""The environments: Gymnasium single and vector, PettingZoo parallel and AEC, all thin shells around a world."""
