"""Reads pictures with the PP-OCRv4 models in the plain way: OpenCV, pyclipper and onnxruntime, one step after the other.

Arguments: the folder of the models, then pictures. Prints a JSON list for each picture: its lines with text, score, box.
"""

import json
import math
import sys

import cv2
import numpy
import onnxruntime
import pyclipper

assets, *pictures = sys.argv[1:]


def load(name):
    session = onnxruntime.InferenceSession(f"{assets}/{name}", providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, {session.get_inputs()[0].name: batch})[0]


detect = load("ch_PP-OCRv4_det_infer.onnx")
orient = load("ch_ppocr_mobile_v2.0_cls_infer.onnx")
recognise = load("ch_PP-OCRv4_rec_infer.onnx")
with open(f"{assets}/ppocr_keys_v1.txt", encoding="utf-8") as file:
    alphabet = ["", *file.read().split("\n"), " "]


def detection_input(picture):
    height, width = picture.shape[:2]
    ratio = min(1.0, 960 / max(height, width))
    size = [max(32, int(round(int(side * ratio) / 32)) * 32) for side in (width, height)]
    values = cv2.resize(picture, size).astype(numpy.float32) / 255
    values = (values - numpy.float32([0.485, 0.456, 0.406])) / numpy.float32([0.229, 0.224, 0.225])
    return values.transpose(2, 0, 1)[None]


def corners(contour):
    rectangle = cv2.minAreaRect(contour)
    points = sorted(cv2.boxPoints(rectangle).tolist())
    left, right = sorted(points[:2], key=lambda p: p[1]), sorted(points[2:], key=lambda p: p[1])
    return numpy.float32([left[0], right[0], right[1], left[1]]), min(rectangle[1])


def mean_within(shares, box):
    mask = numpy.zeros(shares.shape, numpy.uint8)
    cv2.fillPoly(mask, [box.astype(numpy.int32)], 1)
    return cv2.mean(shares, mask)[0]


def unclip(box):
    area, around = cv2.contourArea(box), cv2.arcLength(box, True)
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(box.tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    return numpy.float32(offset.Execute(area * 1.5 / around)[0])


def find_lines(picture):
    height, width = picture.shape[:2]
    shares = detect(detection_input(picture))[0, 0]
    contours, _ = cv2.findContours((shares > 0.3).astype(numpy.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours[:1000]:
        box, shorter = corners(contour)
        if shorter < 3 or mean_within(shares, box) < 0.6:
            continue
        box, shorter = corners(unclip(box))
        if shorter < 5:
            continue
        box[:, 0] = numpy.clip(numpy.round(box[:, 0] / shares.shape[1] * width), 0, width - 1)
        box[:, 1] = numpy.clip(numpy.round(box[:, 1] / shares.shape[0] * height), 0, height - 1)
        if min(int(numpy.linalg.norm(box[0] - box[1])), int(numpy.linalg.norm(box[0] - box[3]))) > 3:
            boxes.append(box)
    boxes.sort(key=lambda box: (box[0][1], box[0][0]))
    for end in range(1, len(boxes)):
        for at in range(end, 0, -1):
            if abs(boxes[at][0][1] - boxes[at - 1][0][1]) >= 10 or boxes[at][0][0] >= boxes[at - 1][0][0]:
                break
            boxes[at - 1], boxes[at] = boxes[at], boxes[at - 1]
    return boxes


def cut(picture, box):
    width = int(max(numpy.linalg.norm(box[0] - box[1]), numpy.linalg.norm(box[2] - box[3])))
    height = int(max(numpy.linalg.norm(box[0] - box[3]), numpy.linalg.norm(box[1] - box[2])))
    target = numpy.float32([[0, 0], [width, 0], [width, height], [0, height]])
    line = cv2.warpPerspective(
        picture,
        cv2.getPerspectiveTransform(box, target),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return numpy.rot90(line) if height / width >= 1.5 else line


def strip(line, width):
    columns = min(width, math.ceil(48 * line.shape[1] / line.shape[0]))
    values = cv2.resize(numpy.ascontiguousarray(line), (columns, 48)).astype(numpy.float32) / 127.5 - 1
    filled = numpy.zeros((3, 48, width), numpy.float32)
    filled[:, :, :columns] = values.transpose(2, 0, 1)
    return filled


def upright(line):
    _, turned = orient(strip(line, 192)[None])[0]
    return cv2.rotate(line, cv2.ROTATE_180) if turned >= 0.9 else line


def decode(classes):
    best = classes.argmax(axis=1)
    kept = [step for step, label in enumerate(best) if label != 0 and (step == 0 or label != best[step - 1])]
    scores = [float(classes[step, best[step]]) for step in kept]
    return "".join(alphabet[best[step]] for step in kept), sum(scores) / len(scores) if scores else 0.0


def read(picture):
    boxes = find_lines(picture)
    lines = [upright(cut(picture, box)) for box in boxes]
    order = sorted(range(len(lines)), key=lambda index: lines[index].shape[1] / lines[index].shape[0])
    read_lines = {}
    for start in range(0, len(order), 6):
        group = order[start : start + 6]
        widest = max(lines[index].shape[1] / lines[index].shape[0] for index in group)
        width = int(48 * max(320 / 48, widest))
        answers = recognise(numpy.stack([strip(lines[index], width) for index in group]))
        read_lines.update(zip(group, map(decode, answers)))
    texts = (read_lines[index] for index in range(len(lines)))
    return [
        {"text": text, "score": score, "box": box.tolist()}
        for (text, score), box in zip(texts, boxes)
        if score >= 0.5
    ]


for path in pictures:
    print(json.dumps(read(cv2.imread(path, cv2.IMREAD_COLOR))))
