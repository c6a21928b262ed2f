// The program of an `exec` output: writes what it reads to a unix socket of the soak, after a line with its tag and process
// id. Arguments: the socket, the tag, and a word that edits change.
import { connect } from 'node:net'
import process from 'node:process'

const [, , path = '', tag = ''] = process.argv
const socket = connect(path)
socket.on('error', () => process.exit(1))
socket.write(`${tag} ${process.pid}\n`)
process.stdin.pipe(socket)
