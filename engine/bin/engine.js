#!/bin/sh
':' //; exec node --single-threaded-gc --heap-growing-percent=100 "$0" "$@"
// For the shell the line above is the program, for Node it is a string and a comment. V8 takes such options at its start
// only, and `env` has no `-S` everywhere. Why these: docs/architecture.md, "The collector has no threads".
// Committed, not compiled: npm links a bin at install time, before anything is built.
import '../dist/cli/main.js'
