package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// systemd is the first process of a Debian system. A board that has one becomes it.
const systemd = "/lib/systemd/systemd"

// serveWord has this program serve package control as an ordinary process.
const serveWord = "serve"

func hasSystem() bool {
	_, err := os.Stat(systemd)
	return !errors.Is(err, fs.ErrNotExist)
}

// startSystem leaves a process that serves, and becomes systemd.
func startSystem() error {
	c := exec.Command("/init", serveWord)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return err
	}
	return syscall.Exec(systemd, []string{systemd}, []string{"PATH=" + searchPath})
}
