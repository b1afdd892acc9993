package trust

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
)

// A Key is the public half of an identity, an Ed25519 key.
type Key [ed25519.PublicKeySize]byte

// String is the key's fingerprint, as people compare it.
func (k Key) String() string {
	sum := sha256.Sum256(k[:])
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// LogValue is the fingerprint.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText writes the whole key.
func (k Key) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, k[:]), nil
}

// UnmarshalText reads the whole key.
func (k *Key) UnmarshalText(text []byte) error {
	b, err := base64.RawStdEncoding.DecodeString(string(text))
	if err == nil && len(b) != len(k) {
		err = fmt.Errorf("a key has %d bytes, not %d", len(k), len(b))
	}
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	copy(k[:], b)
	return nil
}
