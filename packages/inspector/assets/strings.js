// @ts-check
// Every word on the page, in each language. Words of a protocol and of TCP stay as they are on the wire.

const english = {
  title: "Wire inspector",
  skip: "Skip to the timeline",
  linkLive: "Live",
  linkConnecting: "Connecting…",
  linkLost: "Connection to the program lost; trying again…",
  linkRefused: "The program refused this page. Load it again.",
  pause: "Pause",
  paused: "Paused · {count} waiting",
  clear: "Clear",
  clearFailed: "Clearing failed. Load the page again.",
  otherLanguage: "中文",
  dropped: "{count:record|records} dropped",
  droppedWhy: "The oldest records go when there is no more room for them.",
  connections: "Connections",
  listeners: "Listeners",
  listenersAbout: "ports, refused connections",
  search: "Search",
  searchHint: "address, state, #number",
  service: "Service",
  anyService: "any",
  show: "Show",
  showAll: "all",
  showOpen: "open",
  showClosed: "closed",
  listed: "{count} of {total}",
  listMore: "The newest {count} are listed. Search to find others.",
  noneFound: "No connection matches.",
  noneYet: "No connection yet.",
  open: "open",
  closed: "closed: {reason}",
  reasonEnded: "the peer ended, and then so did we",
  reasonReset: "the peer reset it; there was no end",
  reasonTimeout: "a deadline passed",
  reasonAborted: "cut short on this side",
  reasonProtocol: "the peer broke the protocol",
  reasonLocal: "we ended it",
  back: "List",
  connectionNumber: "Connection {id}",
  clientTo: "client of {service}",
  remote: "Peer",
  local: "Here",
  state: "State",
  received: "In",
  sent: "Out",
  amount: "{size} in {chunks:chunk|chunks}, {messages:message|messages}",
  bytesAs: "Show bytes as",
  asText: "Text",
  asHex: "Hex",
  follow: "Follow latest",
  timelineCaption:
    "Every TCP event with its bytes, and beside it the protocol's messages. Up and Down go from one to the next, Enter opens one.",
  time: "Time",
  tcpLane: "TCP",
  messageLane: "Messages",
  peer: "peer",
  us: "us",
  older: "Show older ({count})",
  newer: "Show newer ({count})",
  sinceStart: "{time} since the connection was first seen",
  in: "in",
  out: "out",
  chunk: "{count:byte|bytes}",
  chunkLabel: "Chunk {dir}, bytes {start} to {end}",
  offsets: "offsets {start}–{end}",
  showAllBytes: "Show all {count} bytes",
  showFewerBytes: "Show fewer",
  keptOnly: "The first {kept} of {count} bytes were kept.",
  secretsBlanked: "Secrets are blanked.",
  handshakeIn: "SYN → · ← SYN ACK · ACK →",
  handshakeOut: "← SYN · SYN ACK → · ← ACK",
  inferredServer: "inferred: done by the kernel before `connection`",
  inferredClient: "inferred: done by the kernel before `connect`",
  tcpListening: "Listens on {address}.",
  tcpConnection: "{service} accepted a connection from {address}.",
  tcpConnect: "Connected to {address}.",
  tcpEndIn: "The peer sent FIN: it will send no more, and all it sent has been read.",
  tcpEndOut: "We send FIN once everything written has left.",
  tcpDrain: "Our own write buffer has emptied: writing goes on.",
  tcpTimeout: "Nothing was read or written for a while. That alone closes nothing.",
  tcpPause: "We stop reading: TCP holds the peer back.",
  tcpResume: "We read again.",
  tcpDrop: "{service} refused a connection from {address}: too many are open.",
  tcpClose: "Fully closed: {reason}.",
  messageLabel: "{type} {dir}, bytes {start} to {end}",
  carried: "{size} in {chunks:chunk|chunks}",
  carriedNone: "no chunk of it is kept",
  borders: "┊ is where one chunk ends and the next begins.",
  tokens: "Named pieces",
  tokenName: "Name",
  tokenOffsets: "Offsets",
  tokenBytes: "Bytes",
  noBytes: "It stands for no bytes on the wire.",
  noTokens: "The protocol names no pieces in it.",
  stateChange: "state",
  because: "because of {why}",
  emptyTitle: "Waiting for the first connection",
  emptyText:
    "This page shows what a program's TCP connections really do: each chunk as it came, each message in it, and every change of state, while it happens.",
  emptyTry: "Try one of these in a terminal",
  emptyNothing: "Connect to a server of this program, and it will be listed here.",
  copy: "Copy",
  copied: "Copied",
};

/** @typedef {typeof english} Strings */
/** @typedef {keyof Strings} Key */

/** @type {Strings} */
const chinese = {
  title: "线路检视器",
  skip: "跳到时间线",
  linkLive: "实时",
  linkConnecting: "正在连接…",
  linkLost: "与程序的连接已断开,正在重试…",
  linkRefused: "程序拒绝了此页面,请重新加载。",
  pause: "暂停",
  paused: "已暂停 · {count} 条等待中",
  clear: "清空",
  clearFailed: "清空失败,请重新加载页面。",
  otherLanguage: "English",
  dropped: "已丢弃 {count} 条记录",
  droppedWhy: "空间不足时,最旧的记录会先被丢弃。",
  connections: "连接",
  listeners: "监听器",
  listenersAbout: "端口与被拒绝的连接",
  search: "搜索",
  searchHint: "地址、状态、#编号",
  service: "服务",
  anyService: "全部",
  show: "显示",
  showAll: "全部",
  showOpen: "已打开",
  showClosed: "已关闭",
  listed: "{count} / {total}",
  listMore: "仅列出最新的 {count} 个,其余请搜索。",
  noneFound: "没有匹配的连接。",
  noneYet: "还没有连接。",
  open: "打开",
  closed: "已关闭:{reason}",
  reasonEnded: "对端先结束,随后我方结束",
  reasonReset: "被对端重置,没有 end",
  reasonTimeout: "超过时限",
  reasonAborted: "在我方被中断",
  reasonProtocol: "对端违反协议",
  reasonLocal: "由我方结束",
  back: "列表",
  connectionNumber: "连接 {id}",
  clientTo: "{service} 的客户端",
  remote: "对端",
  local: "本端",
  state: "状态",
  received: "收到",
  sent: "发出",
  amount: "{size},{chunks} 个数据块,{messages} 条消息",
  bytesAs: "字节显示为",
  asText: "文本",
  asHex: "十六进制",
  follow: "跟随最新",
  timelineCaption: "每个 TCP 事件及其字节,旁边是协议的消息。上下方向键逐项移动,回车键展开。",
  time: "时间",
  tcpLane: "TCP",
  messageLane: "消息",
  peer: "对端",
  us: "我方",
  older: "显示更早的({count})",
  newer: "显示更新的({count})",
  sinceStart: "自首次看到此连接起 {time}",
  in: "收到",
  out: "发出",
  chunk: "{count} 字节",
  chunkLabel: "数据块,{dir},字节 {start} 到 {end}",
  offsets: "偏移 {start}–{end}",
  showAllBytes: "显示全部 {count} 字节",
  showFewerBytes: "收起",
  keptOnly: "只保留了 {count} 字节中的前 {kept} 字节。",
  secretsBlanked: "机密内容已遮盖。",
  handshakeIn: "SYN → · ← SYN ACK · ACK →",
  handshakeOut: "← SYN · SYN ACK → · ← ACK",
  inferredServer: "推断:内核在 `connection` 之前已完成",
  inferredClient: "推断:内核在 `connect` 之前已完成",
  tcpListening: "正在监听 {address}。",
  tcpConnection: "{service} 接受了来自 {address} 的连接。",
  tcpConnect: "已连接到 {address}。",
  tcpEndIn: "对端发送了 FIN:不会再有数据,且已发来的数据均已读完。",
  tcpEndOut: "已写入的数据全部发出后,我方发送 FIN。",
  tcpDrain: "我方的写缓冲区已排空,可以继续写入。",
  tcpTimeout: "一段时间内没有读写。这本身不会关闭连接。",
  tcpPause: "我方暂停读取,由 TCP 抑制对端。",
  tcpResume: "我方恢复读取。",
  tcpDrop: "{service} 拒绝了来自 {address} 的连接:打开的连接过多。",
  tcpClose: "完全关闭:{reason}。",
  messageLabel: "{type},{dir},字节 {start} 到 {end}",
  carried: "{size},在 {chunks} 个数据块中",
  carriedNone: "没有保留它的数据块",
  borders: "┊ 处是数据块的交界。",
  tokens: "命名片段",
  tokenName: "名称",
  tokenOffsets: "偏移",
  tokenBytes: "字节",
  noBytes: "它在线路上没有字节。",
  noTokens: "协议没有为其中的片段命名。",
  stateChange: "状态",
  because: "原因:{why}",
  emptyTitle: "等待第一个连接",
  emptyText: "此页面实时展示程序的 TCP 连接真正在做什么:每个数据块如何到达,其中有哪些消息,以及每次状态变化。",
  emptyTry: "在终端中试试其中之一",
  emptyNothing: "连接到此程序的某个服务器,它就会列在这里。",
  copy: "复制",
  copied: "已复制",
};

/** @type {Readonly<Record<"en" | "zh-CN", Strings>>} */
export const catalogs = { en: english, "zh-CN": chinese };

/**
 * The language asked for by `?lang=`, or the first of the browser's that there is, or English.
 * @param {string | null} asked @param {readonly string[]} preferred
 * @returns {keyof typeof catalogs}
 */
export function chooseLanguage(asked, preferred) {
  for (const name of [asked ?? "", ...preferred]) {
    if (/^zh\b/i.test(name)) return "zh-CN";
    if (/^en\b/i.test(name)) return "en";
  }
  return "en";
}

/** Values in a text: `{name}`, or `{name:one|many}` for a number with its noun. */
const PLACE = /\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g;

/** @typedef {(key: Key, values?: Readonly<Record<string, string | number>>) => string} Say */

/**
 * Gives the words of one language, with values in their places. Numbers are written as the language does.
 * @param {keyof typeof catalogs} language
 * @returns {Say}
 */
export function speaker(language) {
  const number = new Intl.NumberFormat(language);
  return (key, values = {}) =>
    catalogs[language][key].replace(PLACE, (_place, name, one, many) => {
      const value = values[name];
      if (typeof value !== "number") return value ?? "";
      return one === undefined ? number.format(value) : `${number.format(value)} ${value === 1 ? one : many}`;
    });
}
