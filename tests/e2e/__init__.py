"""Real controllers, real traffic: releases judged from end to end, without containers."""
