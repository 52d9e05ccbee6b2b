"""What users type that cannot work, and what they have to read."""

USAGE = [
    ("detct good.mp4", "No such command 'detct'. Did you mean 'detect'"),
    ("detect good.mp4 --jsn x", "No such option: --jsn (Possible options: --json)"),
    ("detect", "Missing argument 'SOURCE"),
    ("detector evalute", "Did you mean 'evaluate'?"),
    ("train vg", "vg: no such model. Did you mean vgg?"),
    ("train vgg --recipe bst", "bst: no such recipe. Did you mean best?"),
    (
        "train vgg --recipe zzz",
        "zzz: no such recipe. Choose from: report, best, crops, worn, gpu, fast, distill.",
    ),
    ("train vgg --compile yes", "yes: no such choice. Choose from: auto, on, off."),
    ("train vgg --epochs many", "'--epochs': "),
    ("train vgg --device gpu", "gpu is no device. Choose auto, cpu, cuda or cuda:N."),
]
SOURCES = [
    ("detect clip.mp4", "clip.mp4: no such file. Did you mean clips/clip.mp4?"),
    ("detect nothing-like-it.mov", "nothing-like-it.mov: no such file."),
    ("detect empty.mp4", "empty.mp4 is empty (0 bytes)."),
    ("detect text.mp4", "text.mp4 is not a video or image that can be read."),
    (
        "detect truncated.mp4",
        "truncated.mp4 is incomplete: its index (moov) is missing. "
        "Was the copy or recording interrupted?",
    ),
    ("detect good.mp4 --show", "no display."),
    ("predict empty.mp4", "empty.mp4 is empty (0 bytes)."),
    ("predict no.png", "no.png: no such file."),
]
OUTPUTS = [
    ("detect good.mp4 -o taken.mp4", "taken.mp4 exists. "),
    ("detect good.mp4 -o x.mp4 --json taken.json", "taken.json exists. "),
    ("detect good.mp4 -o no/where/x.mp4", "no/where"),
    ("detect good.mp4 -o good.mp4 --overwrite", "good.mp4"),
    ("detector clip -o taken.mp4", "taken.mp4 exists. "),
    ("detector tracks good.mp4 --json taken.json", "taken.json exists. "),
    ("detector tracks nothing-like-it.mov", "nothing-like-it.mov: no such file."),
    ("evaluate vgg.safetensors --json taken.json", "vgg.safetensors: no such file. "),
]
TRAINING = [
    ("train vgg --recipe distill", "Use --recipe distill with one --teacher WEIGHTS or more."),
    ("train vgg --recipe distill --teacher x.safetensors", "x.safetensors: no such file."),
    ("train vgg --recipe distill --teacher grid", "which is no classifier of fmnist."),
    ("train vgg --init lenet", "lenet.safetensors holds a lenet, not a vgg."),
    ("train vgg --set batch_size=0", "batch_size=0: batch_size is from 2 to 60000."),
    ("train vgg --set nothing=0.4", "Set crops above 0, or nothing=0."),
    ("train lenet --set filter_learning_rate=0.1", "adamw has no filter_learning_rate."),
    ("train vgg --set optimizer=adm", "adm: no such optimizer. Did you mean adam?"),
    ("train resnet18 --pretrained no.pth", "no.pth: no such file."),
    ("train --resume clips", "clips holds no run."),
    ("train --resume clips --set dropout=0", "Leave out the model, "),
    ("train vgg -o good.mp4/run", "good.mp4 is a file, not a folder."),
]
PHOTOS = [
    ("detector train --backbone vg", "vg: no such backbone. Did you mean vgg?"),
    ("detector train --resume -o no", "no holds no run that could go on. Start without --resume."),
    ("detector train --freeze", "--freeze keeps what a classifier has learnt. Add --backbone vgg"),
    ("detector blend grid gird -o x.safetensors", "gird: no such shipped weights"),
    ("detector blend grid vgg -o x.safetensors", "Only grids can be blended."),
    ("detector blend grid grid -o x.pt", "weights end in .safetensors. Name it x.safetensors."),
    ("detector train --photos no", "no: no such folder. Give a folder of photos"),
    ("detector evaluate --photos clips", "clips holds no photo in a known layout."),
    ("detector evaluate --misses worst", "worst: the misses are a picture. Name it worst.png."),
    ("train lenet --seed -1", "Invalid value for '--seed'"),
    ("train vgg --recipe worn", "The recipe worn learns from photos. Name folders of them"),
    ("detector train --backgrounds no", "no: no such folder. Give a folder that holds photos."),
    ("train vgg --recipe crops --backgrounds clips", "The recipe crops learns from no photos."),
    ("train vgg --recipe worn --photos clips", "clips holds no photo in a known layout."),
]
EXPORTING = [
    ("export gird", "gird: no such network. Did you mean grid?"),
    ("export head --format onnxx", "onnxx: no such format. Did you mean onnx?"),
    ("export head -o x.pt", "x.pt: onnx files end in .onnx. Name it x.onnx."),
    ("export grid --weights gird", "Did you mean grid?"),
    ("export grid -o taken.onnx", "taken.onnx exists. "),
    ("export grid --check no.mp4", "no.mp4: no such file."),
    ("detect good.mp4 --backend opencv", "opencv: no such backend. Did you mean openvino?"),
    (
        "live picture.png --web",
        "is a picture, not a video. Use fmnist detect picture.png --show,",
    ),
    ("live --host 0.0.0.0", "are for the page. Add --web."),
    ("live good.mp4 --backend trt", "trt: no such backend. Choose from: auto, torch, "),
]
MEASURING = [
    ("benchmark detect no.mp4", "no.mp4: no such file. Name a video."),
    ("benchmark detect good.mp4 --backends onx", "onx: no such backend. Did you mean onnx?"),
    ("benchmark detect good.mp4 --json taken.json", "taken.json exists. "),
    ("benchmark speed vg", "vg: no such model. Did you mean vgg?"),
    ("speedrun vgg --recipe bst", "bst: no such recipe. Did you mean best?"),
    ("speedrun vgg --set held_out=500", "The race trains with all 60,000 images."),
    ("train vgg --set held_out=19", "Give a multiple of 10."),
    ("train vgg --recipe distill --set seconds=9 --teacher vgg", "Leave out seconds."),
    ("speedrun vgg --recipe distill", "is no fixed schedule on plain images. Use best."),
    ("benchmark --row vg:best", "vg: no such model. Did you mean vgg?"),
    ("benchmark --columns tset", "tset: no such column. Did you mean test?"),
    ("benchmark --with ultralytics", "Did you mean ultralytics-cls?"),
    ("benchmark --earlier no.json", "no.json: no such file. Make it with `fmnist benchmark`"),
    ("benchmark --earlier taken.json", "taken.json holds no rows of a benchmark."),
    ("benchmark --table -o good.mp4", "good.mp4 is a file, not a folder."),
    ("report", "benchmark.json: no such file. Make it with `fmnist benchmark`"),
    ("report --benchmark taken.json", "taken.json holds no rows of a benchmark."),
    ("report --benchmark good.mp4", "good.mp4 is not valid JSON."),
    ("tune vgg --search droput", "droput: no such part to search. Did you mean dropout?"),
    ("tune vgg --search ,", "Nothing is searched."),
    ("tune vgg --recipe distill", "Teachers and crops have no part in a search."),
    ("tune vgg --recipe report --search weight_decay", "adam has no weight_decay."),
]
WEIGHTS = [
    ("evaluate no.safetensors", "no.safetensors: no such file. Train one with fmnist train."),
    ("evaluate nothing", "nothing: no such shipped weights or .safetensors file. "),
    ("evaluate corrupt.safetensors", "corrupt.safetensors has no card beside it."),
    ("evaluate grid", "which is no classifier of fmnist."),
    ("data", "Fashion-MNIST was not found. Looked in:"),
    ("train vgg", "Fashion-MNIST was not found. Looked in:"),
]

BAD_INPUT = [
    *USAGE,
    *SOURCES,
    *OUTPUTS,
    *TRAINING,
    *PHOTOS,
    *EXPORTING,
    *MEASURING,
    *WEIGHTS,
]
