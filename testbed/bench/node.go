package main

import (
	"context"

	"github.com/migrated/migrated/testbed/cluster"
)

// startNode starts a node, the first of a cluster, for VMs of a program. Closing the cluster ends it.
func (b *bench) startNode(ctx context.Context, p *program, config string) (*cluster.Cluster, *cluster.Node, error) {
	if _, err := b.image(ctx, p); err != nil {
		return nil, nil, err
	}
	c, err := cluster.New()
	if err != nil {
		return nil, nil, err
	}
	n, err := c.Start(ctx, cluster.NodeConfig{Name: "bench-1", Config: config})
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, n, nil
}
