// Package proto holds the definitions of the gRPC services; migrated/v1 is generated from
// them by `make -C proto generate`.
package proto
