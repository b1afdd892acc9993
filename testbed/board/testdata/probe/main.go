// Command probe does on a board what the test of package board asks for.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	switch os.Args[1] {
	case "status":
		fmt.Println("output")
		fmt.Fprintln(os.Stderr, "error")
		n, err := strconv.Atoi(os.Args[2])
		if err != nil {
			panic(err)
		}
		os.Exit(n)
	case "time":
		fmt.Println(time.Now().UnixNano())
	}
}
