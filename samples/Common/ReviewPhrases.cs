/// <summary>One thing that is reviewed: what it is called, and what is said of its parts.</summary>
/// <param name="Name">The topic.</param>
/// <param name="Things">Names of the thing.</param>
/// <param name="Parts">Its parts, each with what is said when it is good and when it is bad.</param>
internal sealed record ReviewTopic(string Name, string[] Things, ReviewPart[] Parts);

/// <summary>A part of a thing, or the thing itself.</summary>
internal sealed record ReviewPart(string Name, string[] Good, string[] Bad);

/// <summary>The words and phrases that reviews are put together from, frequent ones first.</summary>
internal static class ReviewPhrases
{
    /// <summary>What can be good or bad of anything.</summary>
    public static readonly string[] GoodAdjectives = ["great", "good", "excellent", "lovely", "superb", "impressive", "fantastic", "delightful", "flawless", "outstanding"];

    public static readonly string[] BadAdjectives = ["bad", "poor", "terrible", "awful", "disappointing", "mediocre", "useless", "dreadful", "horrible", "a disgrace"];

    /// <summary>Around a clause.</summary>
    public static readonly string[] Openings =
        ["After a week", "For the price", "To be fair", "So far", "As my sister said", "On the first day", "In the end", "Compared with the last one", "As always", "Over the holidays"];

    public static readonly string[] Likes = ["I like", "I love", "I was happy with", "I am impressed by", "We enjoyed", "I would praise", "You will love"];

    public static readonly string[] Dislikes = ["I dislike", "I hate", "I was annoyed by", "I am disappointed by", "We regretted", "I would complain about", "You will hate"];

    public static readonly ReviewTopic[] Topics =
    [
        Topic("phones", "phone, handset, mobile, smartphone",
            "battery: lasts two days, charges in an hour, holds its charge, survives a long call | dies by noon, drains overnight, gets hot, swells up",
            "screen: stays bright in the sun, shows crisp colours, reacts at once | flickers, scratches easily, freezes, is too dim to read",
            "camera: takes sharp pictures, focuses quickly, works well at night | takes blurry pictures, focuses slowly, blurs every face",
            "signal: holds even in the cellar, never drops a call | drops every call, fades indoors, vanishes on the train",
            "speaker: sounds clear, is loud enough for a room | crackles, rattles at full volume, sounds tinny",
            "charger: clicks in firmly, fits every socket | broke in a month, hums, melts its plug"),
        Topic("hotels", "hotel, inn, guest house, resort",
            "room: was spotless, overlooks the sea, smelled fresh, was quiet all night | smelled of smoke, was filthy, faced a noisy street, had no window",
            "bed: was wide and soft, let us sleep till noon | sagged in the middle, squeaked, was hard as stone",
            "breakfast: offered fresh fruit, was served until eleven, had warm bread | was cold, ran out by nine, was stale toast",
            "pool: was heated, was clean and empty | was closed, was green with algae, was crowded",
            "reception: upgraded us for free, answered within a minute, remembered our names | lost our booking, kept us waiting, charged us twice",
            "shower: had plenty of hot water, had strong pressure | leaked, ran cold, flooded the floor"),
        Topic("restaurants", "restaurant, bistro, diner, pizzeria",
            "soup: was rich and warm, tasted of fresh herbs, came with warm bread | was salty, was lukewarm, tasted of water",
            "steak: was tender, was grilled to the point, melted on the tongue | was chewy, was burnt, came out raw",
            "waiter: recommended a fine wine, smiled all evening, refilled our glasses | ignored us, spilled the wine, forgot our order",
            "dessert: was light and sweet, was worth the trip, came with fresh berries | was soggy, was frozen inside, was far too sweet",
            "menu: changes every week, has plenty for vegans | has three dishes, is overpriced, never changes",
            "bill: was fair, was lower than we thought | had drinks on it that we never ordered, was a shock"),
        Topic("books", "book, novel, thriller, biography",
            "plot: keeps you guessing, moves at a good pace, gripped me from page one | goes nowhere, drags for chapters, has holes everywhere",
            "ending: moved me to tears, ties it all together, surprised me | made no sense, was rushed, was obvious from the start",
            "hero: grows on you, feels like a friend | is flat, whines on every page, has no character",
            "writing: is crisp and witty, flows like a river, paints every scene | is clumsy, is full of errors, reads like a manual",
            "cover: is beautifully printed, looks fine on the shelf | came creased, fell off, is misleading",
            "author: knows the subject, writes with humour | repeats himself, preaches, copied half of it"),
        Topic("bicycles", "bicycle, bike, racer, tandem",
            "saddle: is comfortable on long rides, adjusts easily | hurts after a mile, tilts back, tore at the seam",
            "gears: shift smoothly, climb any hill | slip uphill, grind, jam in the rain",
            "brakes: stop me at once, work in the wet | squeal, fail in the wet, rub on the rim",
            "frame: is light and stiff, rides straight as an arrow | cracked at a weld, rusts already, wobbles downhill",
            "tyres: grip on gravel, survived a year of glass | puncture every week, lose air, skid on leaves",
            "chain: runs quietly, needs little oil | falls off, rusted in a month, snapped"),
        Topic("coffee machines", "coffee machine, espresso maker, percolator, grinder",
            "espresso: has a thick crema, tastes of chocolate, is hot and strong | is watery, tastes burnt, is lukewarm",
            "milk frother: makes silky foam, rinses itself | spits, clogs up, makes big bubbles",
            "water tank: lasts all week, fills from the top | drips, grows mould, holds two cups",
            "pump: is quiet in the morning, builds pressure at once | roars, lost pressure in a week, screeches",
            "drip tray: slides out easily, goes in the dishwasher | overflows, is impossible to clean, rattles",
            "filter: takes out the lime, needs no paper | lets grounds through, jams, costs a fortune"),
    ];

    private static ReviewTopic Topic(string name, string things, params string[] parts) =>
        new(name, List(things), [.. parts.Select(Part)]);

    private static ReviewPart Part(string text)
    {
        var (name, phrases) = (text[..text.IndexOf(':')], text[(text.IndexOf(':') + 1)..].Split('|'));
        return new ReviewPart(name, List(phrases[0]), List(phrases[1]));
    }

    private static string[] List(string text) => text.Split(',', StringSplitOptions.TrimEntries);
}
