"""`make test-rollout`: the playbooks against real hosts, from bare Debian to a group that was upgraded and restored."""
