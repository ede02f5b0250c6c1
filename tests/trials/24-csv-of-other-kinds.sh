#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "labels in a .csv as people have them: other column names, semicolons, UTF-16, CelebA's, backslashes" \
  "BodenmillerGroup/steinbock #28; Giskard-AI/ai-inspector #15; kohpangwei/group_DRO #1; guillaumejs2403/DiME #3; radiant-rstats/radiant #202" \
  "understands them, or says that it found a .csv and why it took no labels from it"
py <<'PY'
from makers import encoded, faces, write
p = faces(60, 24)
files = {f"{i:04d}.png": encoded(x) for i, x in enumerate(p)}
say = lambda i: "cat" if i % 2 else "dog"
def table(folder, header, line, encoding="utf-8", end="\n", name="labels.csv"):
    text = end.join([header] + [line(i) for i in range(60)]) + end
    write(files | {name: text.encode(encoding)}, folder)
table("usual", "filename,label", lambda i: f"{i:04d}.png,{say(i)}")
table("excel_bom_crlf", "filename,label", lambda i: f"{i:04d}.png,{say(i)}", "utf-8-sig", "\r\n")
table("capitals", "Filename,Label", lambda i: f"{i:04d}.png,{say(i)}")
table("spaces", "filename, label", lambda i: f"{i:04d}.png, {say(i)}")
table("semicolons", "filename;label", lambda i: f"{i:04d}.png;{say(i)}")
table("tabs_utf16", "filename\tlabel", lambda i: f"{i:04d}.png\t{say(i)}", "utf-16")
table("latin1", "filename,label", lambda i: f"{i:04d}.png,{'größe' if i % 2 else 'maß'}", "latin-1")
table("other_words", "image,class", lambda i: f"{i:04d}.png,{say(i)}")
table("no_suffix", "filename,label", lambda i: f"{i:04d},{say(i)}")
table("backslashes", "filename,label", lambda i: f".\\{i:04d}.png,{say(i)}")
table("celeba", "image_id,Smiling,Male", lambda i: f"{i:04d}.png,{1 if i % 2 else -1},{1 if i % 3 else -1}",
      name="list_attr_celeba.csv")
PY
for data in usual excel_bom_crlf; do
  load "$data" $data
  check "two labels" holds "$(num LABELS) == 2"
done
for data in capitals spaces semicolons tabs_utf16 latin1 other_words no_suffix backslashes celeba; do
  load "$data" $data
  check "no traceback" no_traceback
  check "labels, or a word about the .csv" \
    eval "holds '$(num LABELS) == 2' || says '(labels|list_attr_celeba)[.]csv.*(column|label|read|encod|expected|no image)|no labels'"
done
