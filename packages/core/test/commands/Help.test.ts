import { Redis } from "@redfx/core"
import { commandTable } from "./table.ts"

commandTable("Help", [
  ["tells what ACL knows", Redis.aclHelp(), "ACL HELP", "*2\r\n+ACL <subcommand>\r\n+HELP\r\n", [
    "ACL <subcommand>",
    "HELP"
  ]],
  ["tells what BACKUP knows", Redis.backupHelp(), "BACKUP HELP", "*2\r\n+BACKUP <subcommand>\r\n+HELP\r\n", [
    "BACKUP <subcommand>",
    "HELP"
  ]],
  ["tells what CLIENT knows", Redis.clientHelp(), "CLIENT HELP", "*2\r\n+CLIENT <subcommand>\r\n+HELP\r\n", [
    "CLIENT <subcommand>",
    "HELP"
  ]],
  ["tells what CLUSTER knows", Redis.clusterHelp(), "CLUSTER HELP", "*2\r\n+CLUSTER <subcommand>\r\n+HELP\r\n", [
    "CLUSTER <subcommand>",
    "HELP"
  ]],
  ["tells what COMMAND knows", Redis.commandHelp(), "COMMAND HELP", "*2\r\n+COMMAND <subcommand>\r\n+HELP\r\n", [
    "COMMAND <subcommand>",
    "HELP"
  ]],
  [
    "tells what COMMANDLOG knows",
    Redis.commandlogHelp(),
    "COMMANDLOG HELP",
    "*2\r\n+COMMANDLOG <subcommand>\r\n+HELP\r\n",
    ["COMMANDLOG <subcommand>", "HELP"]
  ],
  ["tells what CONFIG knows", Redis.configHelp(), "CONFIG HELP", "*2\r\n+CONFIG <subcommand>\r\n+HELP\r\n", [
    "CONFIG <subcommand>",
    "HELP"
  ]],
  ["tells what DEBUG knows", Redis.debugHelp(), "DEBUG HELP", "*2\r\n+DEBUG <subcommand>\r\n+HELP\r\n", [
    "DEBUG <subcommand>",
    "HELP"
  ]],
  ["tells what FUNCTION knows", Redis.functionHelp(), "FUNCTION HELP", "*2\r\n+FUNCTION <subcommand>\r\n+HELP\r\n", [
    "FUNCTION <subcommand>",
    "HELP"
  ]],
  ["tells what HOTKEYS knows", Redis.hotkeysHelp(), "HOTKEYS HELP", "*2\r\n+HOTKEYS <subcommand>\r\n+HELP\r\n", [
    "HOTKEYS <subcommand>",
    "HELP"
  ]],
  ["tells what LATENCY knows", Redis.latencyHelp(), "LATENCY HELP", "*2\r\n+LATENCY <subcommand>\r\n+HELP\r\n", [
    "LATENCY <subcommand>",
    "HELP"
  ]],
  ["tells what MEMORY knows", Redis.memoryHelp(), "MEMORY HELP", "*2\r\n+MEMORY <subcommand>\r\n+HELP\r\n", [
    "MEMORY <subcommand>",
    "HELP"
  ]],
  ["tells what MODULE knows", Redis.moduleHelp(), "MODULE HELP", "*2\r\n+MODULE <subcommand>\r\n+HELP\r\n", [
    "MODULE <subcommand>",
    "HELP"
  ]],
  ["tells what PUBSUB knows", Redis.pubsubHelp(), "PUBSUB HELP", "*2\r\n+PUBSUB <subcommand>\r\n+HELP\r\n", [
    "PUBSUB <subcommand>",
    "HELP"
  ]],
  ["tells what SCRIPT knows", Redis.scriptHelp(), "SCRIPT HELP", "*2\r\n+SCRIPT <subcommand>\r\n+HELP\r\n", [
    "SCRIPT <subcommand>",
    "HELP"
  ]],
  ["tells what SLOWLOG knows", Redis.slowlogHelp(), "SLOWLOG HELP", "*2\r\n+SLOWLOG <subcommand>\r\n+HELP\r\n", [
    "SLOWLOG <subcommand>",
    "HELP"
  ]],
  ["tells what XGROUP knows", Redis.xgroupHelp(), "XGROUP HELP", "*2\r\n+XGROUP <subcommand>\r\n+HELP\r\n", [
    "XGROUP <subcommand>",
    "HELP"
  ]],
  ["tells what XINFO knows", Redis.xinfoHelp(), "XINFO HELP", "*2\r\n+XINFO <subcommand>\r\n+HELP\r\n", [
    "XINFO <subcommand>",
    "HELP"
  ]]
])
