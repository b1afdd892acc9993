//go:build linux

// Command init is the first process of an emulated board. It mounts what a Linux program
// expects, brings the network up, and serves package control. Its console is the serial
// port; what it says there begins with "board: ".
package main

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/testbed/board/control"
)

func main() {
	if os.Getpid() != 1 {
		if len(os.Args) == 2 && os.Args[1] == serveWord {
			say("%v", listen())
			return
		}
		fmt.Fprintln(os.Stderr, "init: this is the first process of an emulated board, not a command to call")
		os.Exit(2)
	}
	err := run()
	say("%v", err)
	powerOff()
}

func say(format string, args ...any) { fmt.Printf("board: "+format+"\n", args...) }

// run serves until it cannot.
func run() error {
	for _, step := range []func() error{mountAll, insertModules, startNetwork} {
		if err := step(); err != nil {
			return err
		}
	}
	if hasSystem() {
		return startSystem()
	}
	return listen()
}

// listen serves package control.
func listen() error {
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", control.Port))
	if err != nil {
		return err
	}
	fmt.Println(control.Ready)
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go serve(c)
	}
}

func powerOff() {
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}
