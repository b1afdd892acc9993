// Package store keeps what a node must not forget, in one bbolt file: its identity, its VMs
// and the journal of hand-overs. What a call has put is on disk when the call returns.
package store

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

var (
	bucketNode      = []byte("node")
	bucketVMs       = []byte("vms")       // id -> VM
	bucketHandovers = []byte("handovers") // token -> Handover

	keyID = []byte("id")
)

// A Store is an open journal.
type Store struct {
	db *bbolt.DB
	id string
}

// Open opens or makes the journal. Only one daemon can have it open.
func Open(path string) (*Store, error) {
	// A move waits for two writes of the journal, so each is kept small: the free list is found
	// again when the file is opened.
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: time.Second, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType,
	})
	if errors.Is(err, bbolt.ErrTimeout) {
		return nil, fmt.Errorf("open journal %s: another daemon has it open; stop that one or give this one a --state directory of its own", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	s := &Store{db: db}
	if err := db.Update(s.prepare); err != nil {
		db.Close()
		return nil, fmt.Errorf("prepare journal: %w", err)
	}
	return s, nil
}

func (s *Store) prepare(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketNode, bucketVMs, bucketHandovers} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	node := tx.Bucket(bucketNode)
	if id := node.Get(keyID); id != nil {
		s.id = string(id)
		return nil
	}
	var random [16]byte
	rand.Read(random[:]) // never fails
	s.id = hex.EncodeToString(random[:])
	return node.Put(keyID, []byte(s.id))
}

// NodeID is random and stays for the life of the journal.
func (s *Store) NodeID() string { return s.id }

// PutVM keeps a VM's record.
func (s *Store) PutVM(vm *pb.VM) error {
	return s.put(bucketVMs, []byte(vm.Id), vm)
}

// DeleteVM forgets a VM.
func (s *Store) DeleteVM(id string) error {
	return s.delete(bucketVMs, []byte(id))
}

// VMs returns all records.
func (s *Store) VMs() ([]*pb.VM, error) {
	return all[pb.VM](s, bucketVMs)
}

// PutHandover journals one side's state of a move.
func (s *Store) PutHandover(h *pb.Handover) error {
	return s.put(bucketHandovers, h.Token, h)
}

// DeleteHandover forgets a move.
func (s *Store) DeleteHandover(token []byte) error {
	return s.delete(bucketHandovers, token)
}

// Handover returns what was journalled of a move, or nil.
func (s *Store) Handover(token []byte) (*pb.Handover, error) {
	var h *pb.Handover
	err := s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketHandovers).Get(token)
		if b == nil {
			return nil
		}
		h = new(pb.Handover)
		return proto.Unmarshal(b, h)
	})
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	return h, nil
}

// Handovers returns all moves that are journalled.
func (s *Store) Handovers() ([]*pb.Handover, error) {
	return all[pb.Handover](s, bucketHandovers)
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

func (s *Store) put(bucket, key []byte, m proto.Message) error {
	b, err := proto.Marshal(m)
	if err == nil {
		err = s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put(key, b) })
	}
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

func (s *Store) delete(bucket, key []byte) error {
	err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Delete(key) })
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// all returns every message of a bucket.
func all[T any, P interface {
	*T
	proto.Message
}](s *Store, bucket []byte) ([]P, error) {
	var msgs []P
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(key, value []byte) error {
			m := P(new(T))
			if err := proto.Unmarshal(value, m); err != nil {
				return fmt.Errorf("record %x: %w", key, err)
			}
			msgs = append(msgs, m)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	return msgs, nil
}

// TakeOver journals in one step that this node owns a VM and by which move.
func (s *Store) TakeOver(h *pb.Handover, vm *pb.VM) error {
	handover, err := proto.Marshal(h)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	record, err := proto.Marshal(vm)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(
			tx.Bucket(bucketHandovers).Put(h.Token, handover),
			tx.Bucket(bucketVMs).Put([]byte(vm.Id), record))
	})
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}
