-- One store's budget in the memory of all workers: `LocalBudget` of connectors/budget.py, rule by
-- rule, as one atomic step. The words and the reasons are there.
--
-- KEYS: the state (a hash), and the places that wait (a hash: number -> "cost due").
-- ARGV: "ask" | "tell", a test's clock or "", epoch, number, cost of the place, then
--   ask:  patience -> {wait, epoch, number, mark, kind}
--   tell: mark, refused (0 | 1), hold, and of a pace: level, most, rate, ends, length, smooth

local PROBE = 1.0 -- while a store is unknown, one request goes first and the others wait so long
local PROBE_PAUSE, GRACE, ENOUGH = 0.05, 2.0, 1e-6
local KEEP = 600 -- seconds after which a store that nobody asks is forgotten

local state, queue = KEYS[1], KEYS[2]
local act, epoch = ARGV[1], ARGV[3]
local number, cost = tonumber(ARGV[4]), tonumber(ARGV[5])

local now = tonumber(ARGV[2])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end

local s = {kind = 'unknown', epoch = '', next = 0, hold = 0, probe = 0, spent = 0, seen = 0,
           level = 0, most = 0, rate = 0, at = now, ends = 0, length = 0}
local found = redis.call('HGETALL', state)
for i = 1, #found, 2 do
    local name = found[i]
    s[name] = (name == 'kind' or name == 'epoch') and found[i + 1] or tonumber(found[i + 1])
end
if s.epoch == '' then s.epoch = string.format('%.6f', now) end

local function exact(value)
    return type(value) == 'number' and string.format('%.17g', value) or value
end

local function save()
    local fields = {}
    for name, value in pairs(s) do
        fields[#fields + 1] = name
        fields[#fields + 1] = exact(value)
    end
    redis.call('HSET', state, unpack(fields))
    local keep = math.ceil(KEEP + s.length + math.max(0, s.hold - now))
    redis.call('EXPIRE', state, keep)
    redis.call('EXPIRE', queue, keep)
end

local function enqueue(due)
    if s.kind ~= 'paced' then return end
    redis.call('HSET', queue, exact(number), exact(cost) .. ' ' .. exact(due))
end

local function regain()
    if s.ends > 0 and now >= s.ends then
        local began = s.ends + math.floor((now - s.ends) / s.length) * s.length
        s.level = s.most / 2 + s.rate * (now - began)
        s.ends = began + s.length
    else
        s.level = math.min(s.most, s.level + s.rate * math.max(0, now - s.at))
    end
    s.at = now
end

local function ahead()
    local total = 0
    local places = redis.call('HGETALL', queue)
    for i = 1, #places, 2 do
        local its_cost, due = string.match(places[i + 1], '(%S+) (%S+)')
        if tonumber(due) + GRACE < now then
            redis.call('HDEL', queue, places[i])
        elseif tonumber(places[i]) < number then
            total = total + tonumber(its_cost)
        end
    end
    return total
end

local function until_there(need)
    local lack = need - s.level
    if lack <= ENOUGH then return 0 end
    local wait = lack / s.rate
    if s.ends > 0 and now + wait > s.ends then
        return s.ends - now + math.max(0, need - s.most / 2) / s.rate
    end
    return wait
end

local function wait_of_place()
    local pause = math.max(0, s.hold - now)
    if s.kind == 'free' or (s.kind == 'unknown' and pause > 0) then return pause end
    if s.kind == 'unknown' then
        if s.probe == 0 then
            s.probe = now + PROBE
            return 0
        end
        return math.min(PROBE_PAUSE, math.max(0, s.probe - now))
    end
    regain()
    return math.max(pause, until_there(ahead() + math.min(cost, s.most)))
end

local function learn(mark)
    regain()
    local level, most, rate = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
    local ends, length = tonumber(ARGV[12]), tonumber(ARGV[13])
    local smooth = tonumber(ARGV[14]) == 1
    s.most = most
    if ends > 0 then
        s.length = length > 0 and length or math.max(s.length, ends)
        s.ends = now + ends
        rate = most / 2 / s.length
        level = level - rate * ends
    else
        s.ends, s.length = 0, 0
    end
    s.rate = rate
    if mark >= s.seen then
        s.seen = mark
        local believed = level - (s.spent - mark)
        s.level = (smooth and s.kind == 'paced') and math.min(s.level, believed) or believed
    end
    s.kind = 'paced'
end

if act == 'ask' then
    if epoch ~= s.epoch then
        s.next = s.next + 1
        number = s.next
    end
    local wait = wait_of_place()
    local mark = 0
    if wait > 0 then
        if wait > tonumber(ARGV[6]) then
            redis.call('HDEL', queue, exact(number))
        else
            enqueue(now + wait)
        end
    else
        redis.call('HDEL', queue, exact(number))
        s.spent = s.spent + cost
        s.level = s.level - cost
        mark = s.spent
    end
    save()
    return {exact(wait), s.epoch, exact(number), exact(mark), s.kind}
end

local known = epoch == s.epoch
local mark = known and tonumber(ARGV[6]) or s.spent
local hold = tonumber(ARGV[8])
if hold > 0 then s.hold = math.max(s.hold, now + hold) end
if #ARGV > 8 then
    learn(mark)
elseif s.kind == 'unknown' then
    s.kind = 'free'
end
if ARGV[7] == '1' then
    regain()
    s.level = math.min(s.level, 0)
    if known then enqueue(math.max(now, s.hold)) end
end
save()
return false
