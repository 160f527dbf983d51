// Loaded before a server's own program: standard input is a pipe whose other end only the test
// process holds. However that process ends, the pipe ends with it, and so does the server.
process.stdin.on("end", () => process.exit(0)).resume();
