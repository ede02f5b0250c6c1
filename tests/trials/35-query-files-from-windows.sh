#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "query files of Notepad (BOM, CRLF), PowerShell > (UTF-16), an old Mac (CR), Excel (tabs)" \
  "PowerShell/PowerShell #8636; mpfaffenberger/code_puppy PR #778; openwall/john #2802" \
  "reads them, or names the encoding in one line"
text=$(model text text-to-text)
py <<'PY'
from pathlib import Path
lines = ["81+24", "41-89", "7+5"]
save = lambda name, data: Path(name).write_bytes(data)
save("plain.txt", "\n".join(lines).encode() + b"\n")
save("notepad.txt", ("\r\n".join(lines) + "\r\n").encode("utf-8-sig"))
save("old_mac.txt", "\r".join(lines).encode())
save("no_end.txt", "\n".join(lines).encode())
save("powershell.txt", ("\r\n".join(lines) + "\r\n").encode("utf-16"))
save("utf16be.txt", b"\xfe\xff" + "\n".join(lines).encode("utf-16-be"))
save("tabs.txt", "\t\n".join(lines).encode() + b"\t\n")
save("nul.txt", b"81+24\n\0\n")
PY
try "plain" "$LA" answer --model "$text" --queries plain.txt
cp "$OUT" expected
check "three answers" eval 'works && [ "$(wc -l <expected)" = 3 ]'
for name in notepad old_mac no_end; do
  try "$name" "$LA" answer --model "$text" --queries $name.txt
  check "the same answers" cmp "$OUT" expected
done
for name in powershell utf16be tabs nul; do
  try "$name" "$LA" answer --model "$text" --queries $name.txt
  check "the same answers, or one clear error" eval 'clear_error || cmp "$OUT" expected'
done
try "trained on the file from PowerShell" "$LA" train text-to-text --train-queries powershell.txt --out m --profile smoke
check "works, or one clear error" works_or_clear
