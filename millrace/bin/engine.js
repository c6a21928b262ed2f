#!/bin/sh
':' //; export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-8}"; exec node --single-threaded-gc --heap-growing-percent=100 "$0" "$@"
// For the shell the line above is the program, for Node it is a string and a comment. V8 takes such options at its start
// only, and `env` has no `-S` everywhere. Why these, and why more threads for files: docs/architecture.md, "The
// garbage collector has no threads" and "Disks have six threads".
// The same as engine/bin/engine.js, for the package that brings all plugins.
import '@millrace/engine/cli'
