#!/usr/bin/env node
// Committed, not compiled: npm links a bin at install time, before anything is built.
import '../dist/cli/main.js'
