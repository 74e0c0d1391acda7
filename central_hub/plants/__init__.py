"""The plants of the group: who they are, by which key they speak, how their lines stand."""
