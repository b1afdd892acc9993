package main

import (
	"errors"
	"os"
	"os/signal"
	"reflect"
	"syscall"

	"github.com/migrated/migrated/node/metrics"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// reload reads the configuration again. Either all of it is good, and what can change while
// the daemon runs does, or nothing changes.
func (d *daemon) reload() (*pb.ReloadResponse, error) {
	if d.file == "" {
		return nil, errors.New("the daemon was started without --config: there is no file to read again")
	}
	d.reloads.Lock()
	defer d.reloads.Unlock()
	cfg, err := d.read()
	if err != nil {
		return nil, err
	}
	level, err := cfg.logLevel()
	if err != nil {
		return nil, err
	}
	if cfg.Metrics != d.cfg.Metrics {
		if err := d.serveMetrics(cfg.Metrics); err != nil {
			return nil, err
		}
	}
	answer := new(pb.ReloadResponse)
	answer.Changed, answer.Restart = d.cfg.takeOver(cfg)
	d.level.Set(level)
	d.vms.SetCPUs(d.cfg.VMCPUs)
	d.node.Apply(d.cfg.settings())
	return answer, nil
}

// takeOver changes what can change while the daemon runs, and names the keys that differ:
// those that it has changed, and those that need a restart.
func (c *config) takeOver(from *config) (changed, restart []string) {
	mine, theirs := reflect.ValueOf(c).Elem(), reflect.ValueOf(from).Elem()
	for i := range mine.NumField() {
		field := mine.Type().Field(i)
		if reflect.DeepEqual(mine.Field(i).Interface(), theirs.Field(i).Interface()) {
			continue
		}
		key := field.Tag.Get("toml")
		if field.Tag.Get("reload") != "live" {
			restart = append(restart, key)
			continue
		}
		mine.Field(i).Set(theirs.Field(i))
		changed = append(changed, key)
	}
	return changed, restart
}

// serveMetrics moves the metrics to an address, or ends them where that is empty. On an
// error they are where they were.
func (d *daemon) serveMetrics(address string) error {
	var next *metrics.Server
	if address != "" {
		var err error
		if next, err = d.node.Metrics().Serve(address, d.log); err != nil {
			return err
		}
		d.log.Info("metrics", "address", next.Address())
	}
	if d.metrics != nil {
		if err := d.metrics.Close(); err != nil {
			d.log.Warn("end metrics", "err", err)
		}
	}
	d.metrics = next
	return nil
}

// catchHangups keeps SIGHUP, from now on, from ending the daemon.
func catchHangups() chan os.Signal {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	return hangups
}

// reloadOn reloads at each signal until the result is called. What comes of it is an event of
// the node.
func (d *daemon) reloadOn(hangups chan os.Signal) (stop func()) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-hangups:
				_, _ = d.node.Reload()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}
