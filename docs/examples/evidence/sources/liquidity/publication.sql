select as_of, built_at, endpoints, is_synthetic from meta.publication
