"""From evidence to an answer: parameters, the session (a fold over blocks) and the policy. Pure."""
