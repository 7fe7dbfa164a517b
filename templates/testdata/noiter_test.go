package m

// ranged returns the entries of x.
func ranged[K comparable, V any](x table[K, V]) map[K]V { return x.Snapshot() }
