// English: the catalog that defines the keys.

export const en = {
  "help.usage": "Usage",
  "help.commands": "Commands",
  "help.flags": "Flags",
  "help.environment": "Environment",
  "help.precedence": "A flag wins over the environment, the environment over the default.",
  "help.more": "tcpkit COMMAND --help says more about a command.",
  "help.default": "default {value}",

  "command.about": "Shows how application protocols sit on TCP.",
  "command.start": "all demo servers, and the inspector, a page that shows their wire",
  "command.echo": "an echo server (RFC 862): what you send comes back",
  "command.http": "an HTTP/1.1 server with demo routes; serves the files of DIR under /files/",
  "command.smtp": "an SMTP server that takes every mail and prints one line for each",

  "flag.host": "address to listen on",
  "flag.port": "port to listen on, 0 for any free one",
  "flag.port.start": "only 0: a free port for every service",
  "flag.data": "keep each mail as one .eml file in DIR, on disk before the 250",
  "flag.json": "NDJSON on standard output; its first line is the ready line",
  "flag.quiet": "no banner and no line for each event; errors are still said",
  "flag.lang": "language of what is said",
  "flag.lame-duck": "how long to go on serving after the first SIGINT or SIGTERM while /healthz says 503",
  "flag.grace": "how long open connections may take to end after that",
  "flag.help": "this help",
  "flag.version": "the version",

  "banner.ready": "tcpkit {version}, ready in {milliseconds} ms",
  "banner.try": "try: {command}",
  "banner.open": "open it in a browser",
  "banner.stop": "Ctrl-C ends it in good order, Ctrl-C again at once.",
  "banner.portBusy": "Port {wanted} is in use, so {service} took {port}.",
  "banner.loopback": "The inspector stays on {host}: it shows everything that is said.",
  "banner.failed": "{service} could not serve a client: {reason}",
  "banner.lameDuck": "{signal}: /healthz says 503; no new connections in {seconds} s.",
  "banner.draining": "{signal}: no new connections; up to {seconds} s for the open ones.",
  "banner.drained": "Ended. Connections in good order: {drained}, cut: {cut}.",

  "mail.line": "{time}  from {from}  to {to}  {size} bytes  {subject}",
  "mail.noSubject": "(no subject)",
  "mail.nullSender": "<>",
  "page.about":
    "An HTTP/1.1 server without node:http: every byte of it is read and written by @tcpkit/http-lite on @tcpkit/core.",
  "page.try": "From a shell:",
  "route.hello": "a greeting, as plain text",
  "route.echo": "the body of the request comes back, with its type",
  "route.headers": "the field lines of the request, as they were received",
  "route.stream": "n lines, each a chunk of its own",
  "route.bytes": "n bytes with a Content-Length, made while they are sent",
  "route.events": "server-sent events: one tick a second",
  "route.healthz": "200, or 503 while the server drains",
  "route.files": "files, with conditional and range requests",

  "output.dropped": "{lines} lines were not shown: nobody read them in time.",

  "error.no-command": "No command was given; the commands are {commands}.",
  "error.unknown-command": "There is no command {command}; the commands are {commands}.",
  "error.unknown-flag": "{command} has no flag {flag}.",
  "error.missing-value": "{flag} needs a value.",
  "error.unexpected-value": "{flag} takes no value.",
  "error.unexpected-argument": "{command} does not take the argument {argument}.",
  "error.bad-port": "{source} must be a whole number from 0 to 65535, not {value}.",
  "error.start-port":
    "start runs several services, so {source} can only be 0 there; give one service its port by: tcpkit http --port {value}",
  "error.bad-language": "{source} must be en or zh-CN, not {value}.",
  "error.bad-seconds": "{source} must be a number of seconds from 0 to 86400, not {value}.",
  "error.empty-value": "{source} must not be empty.",
  "error.hint": "See: {command}",

  "error.port-busy":
    "Port {port} on {host} is in use: stop the program that holds it, or take any free port by --port 0.",
  "error.no-free-port": "No free port was found for {service}: take any free port by --port 0.",
  "error.port-forbidden":
    "No permission to listen on port {port}: take one from 1024 up, or any free one by --port 0.",
  "error.bad-host": "{host} is not an address of this machine: try --host 127.0.0.1.",
  "error.cannot-listen": "Cannot listen on {host} port {port}: {reason}.",
  "error.bad-directory": "{directory} is not a directory that can be read: {reason}.",
  "error.data-not-writable": "Mail cannot be kept in {directory}: {reason}.",
  "error.data-not-closed":
    "Not all mail in {directory} is on disk for certain: {reason}. Its journal is kept; the next start with --data puts it in order.",
  "error.unexpected": "Something unexpected failed; this is a bug of tcpkit: {reason}",
} as const;
