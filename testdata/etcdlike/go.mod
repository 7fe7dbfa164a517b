module example.com/etcdlike

go 1.26
