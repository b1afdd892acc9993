// Command probe does on a board what the test of package board asks for.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(what string, args []string) error {
	switch what {
	case "status":
		fmt.Println("output")
		fmt.Fprintln(os.Stderr, "error")
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		os.Exit(n)
	case "cat":
		data, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		os.Stdout.Write(data)
	case "many":
		fmt.Print(strings.Repeat("0123456789abcdef", 1<<16))
	case "kvm":
		f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
		if err != nil {
			return err
		}
		f.Close()
	case "time":
		fmt.Println(time.Now().UnixNano())
	case "wait":
		fmt.Println("waiting")
		time.Sleep(time.Hour)
	case "echo":
		return echo(args[0])
	case "get":
		c, err := net.Dial("tcp", args[0])
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.Copy(os.Stdout, c)
		return err
	default:
		return fmt.Errorf("cannot %s", what)
	}
	return nil
}

func echo(port string) error {
	l, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}
